import { fileURLToPath } from 'node:url'
import type { GoRecipe } from '@jackstay/cluster/go-program'

const module = fileURLToPath(new URL('./go/verifiers', import.meta.url))

/** Our small program around other people's libraries. */
export const verifiers: GoRecipe = {
  ...{ name: 'ledger-verifiers', version: '1', module, target: '.' },
  firstTime: 'half a minute',
}

export const fsck: GoRecipe = {
  ...{ name: 'tessera-fsck', version: '1.0.4', module },
  target: 'github.com/transparency-dev/tessera/cmd/fsck',
  firstTime: 'half a minute',
}

export const litewitness: GoRecipe = {
  ...{ name: 'litewitness', version: '0.6.1', module },
  target: 'filippo.io/torchwood/cmd/litewitness',
  firstTime: 'half a minute',
}
