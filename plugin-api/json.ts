/** What may enter or leave plugin code. A Date, a Map, a BigInt or NaN is a bug that names the plugin and the method. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}
