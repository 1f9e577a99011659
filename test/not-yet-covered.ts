/**
 * Requirements that nothing fulfils yet, each with what it waits for. The coverage test fails when one of them is cited by a
 * test after all, so that this list can only shrink.
 */
import type { RequirementId } from './requirements.ts'

export const NOT_YET_COVERED: Readonly<Partial<Record<RequirementId, string>>> = {
  '000:canvas': 'the canvas plugin',
  '000:slack': 'the Slack channel',
  '001:memory': 'the memory plugin',
  '001:skills': 'the skills plugin',
  '002:browser.screenshot': 'the browser plugin',
  '002:browser': 'the browser plugin',
  '003:chat:no-memory': 'the memory plugin',
  '003:heartbeat-trigger': 'the heartbeat plugin',
  '003:skill-invoke': 'the skills plugin',
  '004:slack': 'the Slack channel',
}
