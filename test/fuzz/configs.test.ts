/** Config files that nobody wrote by hand. */
import { configs } from './configs.ts'
import { seeded } from './seeded.ts'

seeded(configs, { file: 'any config file is taken or told what is wrong with it, and the gateway answers on and takes the next good one' })
