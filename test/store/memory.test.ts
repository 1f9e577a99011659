import { openMemoryStore } from '../../kernel/store/memory.ts'
import { conformance } from './conformance.ts'

conformance('the store in memory', async (_, clock) => openMemoryStore({ clock }))
