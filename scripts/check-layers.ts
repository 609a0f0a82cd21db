import { readImports } from './layers/imports.ts'
import { readHouse } from './layers/packages.ts'
import { rules } from './layers/rules.ts'

/** Every violation of the rules of the house below `root`, one line each, sorted. */
export async function checkLayers(root: string): Promise<string[]> {
  const house = readHouse(root)
  const imports = await readImports(
    root,
    house.packages.flatMap(({ files }) => files),
  )
  return [...new Set(rules.flatMap((rule) => rule(house, imports)))].toSorted()
}

if (import.meta.main) {
  const violations = await checkLayers(new URL('..', import.meta.url).pathname.replace(/\/$/, ''))
  for (const violation of violations) process.stderr.write(`${violation}\n`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
