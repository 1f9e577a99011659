// Loaded before each test file: the sources' types are stripped once for all of them.
import { quicken } from '../kernel/cli/quicken.mjs'

quicken()
