/** The seed of the run that every test run makes. Another number tries other inputs, in the same count. */
export const SEED = 20_260_801
