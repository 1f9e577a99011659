// For `--import`: a process or thread whose sources load quickly from its first import on.
import { quicken } from './quicken.mjs'

quicken()
