/** A room of the house: packages, and what they may import of ours. */
export interface Room {
  /** Folders, by prefix: `test` also covers `test/e2e`. */
  readonly folders: readonly string[]
  readonly mayImport: readonly string[]
  /** Of these, types alone. */
  readonly typesOf?: readonly string[]
}

const core = ['core/contract', 'core/judge', 'core/ledger', 'core/kube', 'core/service']
const coreAndActions = [...core, 'control-plane/actions']

/** The import table. A package in no room is an error: every package has its place. */
const rooms: readonly Room[] = [
  { folders: ['core/contract'], mayImport: [] },
  { folders: ['core/judge', 'core/ledger', 'core/kube'], mayImport: ['core/contract'] },
  { folders: ['core/service'], mayImport: ['core/contract'], typesOf: ['core/kube'] },
  {
    folders: ['control-plane/actions'],
    mayImport: ['core/contract', 'core/judge', 'core/kube'],
  },
  {
    folders: ['control-plane/mediator', 'control-plane/registrar', 'control-plane/operator'],
    mayImport: coreAndActions,
  },
  {
    folders: ['control-plane/warden'],
    mayImport: ['core/contract', 'core/judge', 'core/ledger', 'core/kube', 'control-plane/actions'],
  },
  {
    folders: ['data-plane/sidecar', 'data-plane/agents'],
    mayImport: ['core/contract', 'core/service'],
  },
  {
    folders: ['data-plane/gateways', 'data-plane/tools'],
    mayImport: ['core/contract', 'core/service', 'core/kube'],
  },
  { folders: ['interfaces/cli'], mayImport: coreAndActions },
  { folders: ['interfaces/console'], mayImport: ['core/contract'] },
  {
    folders: ['lab'],
    mayImport: ['core', 'control-plane', 'data-plane', 'interfaces', 'lab', 'test/cluster'],
  },
  {
    folders: ['test', 'scripts'],
    mayImport: ['core', 'control-plane', 'data-plane', 'interfaces', 'lab', 'test'],
  },
]

function isWithin(folder: string, prefix: string): boolean {
  return folder === prefix || folder.startsWith(`${prefix}/`)
}

export function roomOf(folder: string): Room | undefined {
  return rooms.find(({ folders }) => folders.some((prefix) => isWithin(folder, prefix)))
}

/** Whether the package in `from` may import the package in `to`. */
export function mayImport(from: string, to: string, kind: 'value' | 'type'): boolean {
  if (from === to) return true
  const room = roomOf(from)
  if (room === undefined) return false
  const allowed = kind === 'type' ? [...room.mayImport, ...(room.typesOf ?? [])] : room.mayImport
  return allowed.some((prefix) => isWithin(to, prefix))
}

/** Names that say nothing about what is inside. */
export const emptyWords = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'manager',
  'managers',
])

export const readmeLines = 30
export const pipelineLines = 150
