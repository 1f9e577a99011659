/** What plugin code is handed and may answer. Anything JSON has no form for, as a Date or NaN, is reported as the plugin's bug. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}
