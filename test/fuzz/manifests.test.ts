/** Manifests of plugins that nobody wrote by hand. */
import { manifests } from './manifests.ts'
import { seeded } from './seeded.ts'

seeded(manifests, { package: 'a plugin with any manifest comes or says why not, and takes no other plugin with it' })
