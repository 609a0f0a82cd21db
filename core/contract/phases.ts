/** The line's stages after `authenticate`, in order: where an intent that has not ended stands. */
export const stageNames = [
  'admit',
  'plan',
  'decide',
  'rehearse',
  'approve',
  'dispatch',
  'execute',
  'verify',
  'undo',
] as const
export type StageName = (typeof stageNames)[number]

/** How an intent ends. */
export const terminalPhases = [
  'refused',
  'rejected',
  'expired',
  'cancelled',
  'obsolete',
  'proposed',
  'verified',
  'failed',
  'rolled_back',
  'rollback_failed',
] as const
export type TerminalPhase = (typeof terminalPhases)[number]
export type Phase = TerminalPhase | StageName
