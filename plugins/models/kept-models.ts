/**
 * The models of the provider packages, kept from one request to the next: making one builds the check of everything that may
 * come over the wire, which takes longer than a short answer. A model is known by what it is made of, so a changed address is
 * another model; keys and headers are not among it, and a changed one needs no other.
 */
import type { Vendor } from './answer.ts'
import type { SdkModel } from './sdk.ts'

/** Of each vendor: more than anyone's agents take turns with. Clients choose the names, so there has to be an end. */
const KEPT = 32

/** The vendor, with a memory for its models. */
export function kept(vendor: Vendor): Vendor {
  const models = new Map<string, SdkModel>()
  return {
    ...vendor,
    async model(parts) {
      const { name, model, baseURL } = parts
      const key = JSON.stringify([name, model, baseURL])
      const found = models.get(key) ?? (await vendor.model(parts))
      // The last in the map is the last that was asked.
      models.delete(key)
      models.set(key, found)
      const [oldest] = models.keys()
      if (models.size > KEPT && oldest !== undefined) models.delete(oldest)
      return found
    },
  }
}
