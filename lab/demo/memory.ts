import { availableMemory } from 'node:process'
import { NotHere } from './not-here.ts'

/** What all programs of the lab together come to use, with some room. */
const neededMb = 600

/** @throws NotHere where this machine, or what contains this process, has too little left */
export function assertMemory(availableMb = availableMemory() / 2 ** 20): void {
  if (availableMb >= neededMb) return
  throw new NotHere(
    `there are ${Math.floor(availableMb)} MB of memory free, and the lab needs ${neededMb}; end something, or use another machine`,
  )
}
