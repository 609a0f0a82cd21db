import type { WindowFact } from './facts.ts'

/** What rules see where no window is defined: nothing is open, and nothing frozen. */
export const noWindows: WindowFact = { open: false, frozen: false, breakGlass: false, names: [] }
