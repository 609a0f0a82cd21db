import { fileURLToPath } from 'node:url'
import type { GoRecipe } from '@jackstay/cluster/go-program'

const moduleOf = (name: string) => fileURLToPath(new URL(`./go/${name}`, import.meta.url))

export const celGo: GoRecipe = {
  name: 'cel-go',
  version: '0.31.0',
  module: moduleOf('cel-go'),
  target: '.',
  firstTime: 'about a minute',
}

export const opa: GoRecipe = {
  name: 'opa',
  version: '1.22.3',
  module: moduleOf('opa'),
  target: '.',
  firstTime: 'about a minute',
}

/** OPA's own server. */
export const opaServer: GoRecipe = {
  ...opa,
  name: 'opa-server',
  module: moduleOf('opa-server'),
  target: 'github.com/open-policy-agent/opa',
  firstTime: 'about two minutes',
}

/** Appends with Tessera's POSIX driver. */
export const tessera: GoRecipe = {
  name: 'tessera',
  version: '1.0.4',
  module: moduleOf('tessera'),
  target: '.',
  firstTime: 'about half a minute',
}

/** Tessera's own verifier. */
export const fsck: GoRecipe = {
  ...tessera,
  name: 'fsck',
  target: 'github.com/transparency-dev/tessera/cmd/fsck',
}

/** Plays the kubelets of many Nodes. */
export const kwok: GoRecipe = {
  name: 'kwok',
  version: '0.8.0',
  module: moduleOf('kwok'),
  target: 'sigs.k8s.io/kwok/cmd/kwok',
  firstTime: 'about half a minute',
}
