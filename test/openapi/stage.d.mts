/** The types of `stage.mjs`. */
import type { Story } from './telling.mjs'

export const HOOK_TOKEN: string
export function stories(): readonly { readonly name: string; readonly story: Story }[]
export function configOf(transport?: 'auto' | 'uws' | 'ws'): string
