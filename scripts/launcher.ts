/*
 * A program of some megabytes spends most of its start on being parsed. Node keeps what V8 made of a
 * module (its compile cache), but only of modules that are loaded after the cache was switched on. And
 * what a program imports when it comes to it need not be read before. So that a program stays one file,
 * all its modules stand in a comment of itself, which costs a few milliseconds to read over, and are
 * loaded from there, each when it is asked for.
 */

const [opening, closing] = ['/*program\n', '\nprogram*/\n']
/** For the two characters that would end the comment early. */
const escaped = '*\x01/'

/** A module that another one of the program imports as `./NAME`. */
export interface Part {
  readonly name: string
  readonly text: string
}

/**
 * One file that switches the cache on and runs the program within. What V8 made of it may be run in
 * its place, so it is kept only in a folder that belongs, like the one above it, to whoever runs the
 * program. Where there is none, or it cannot be written, everything works as without.
 */
export function launched(program: string, parts: readonly Part[] = []): string {
  const bodies = [program, ...parts.map(({ text }) => text)].map(commented)
  const names = ['program', ...parts.map(({ name }) => name)]
  let left = bodies.reduce((sum, { length }) => sum + length, closing.length)
  // how far from the end of the file it begins: what stands before all of them is not known here
  const places = bodies.map(({ length }, i) => {
    const place = [names[i] ?? '', [left, length]] as const
    left -= length
    return place
  })
  const given = JSON.stringify([Object.fromEntries(places), escaped])
  return `await (${String(launch)})(import.meta.url, ${given})\n${opening}${bodies.join('')}${closing}`
}

function commented(text: string): string {
  if (text.includes(escaped)) throw new Error('a program has in it what stands for `*/`')
  // licences have such characters, in comments
  const ascii = text.replace(/[\u0080-\uffff]/g, (c) => `\\u${hex(c)}`)
  return ascii.replaceAll('*/', escaped)
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0')
}

type Given = [Readonly<Record<string, readonly [number, number]>>, string]

// runs inside a bundle, where nothing of this file is at hand; written as an old Node parses it
async function launch(url: string, [places, escaped]: Given) {
  const builtin = process.getBuiltinModule
  const { enableCompileCache, registerHooks } = builtin('node:module')
  const { existsSync, fstatSync, lstatSync, mkdirSync, openSync, readSync } = builtin('node:fs')
  const { dirname, join } = builtin('node:path')
  const home = process.env.XDG_CACHE_HOME || join(process.env.HOME || '/nowhere', '.cache')
  const own = (folder: string) => {
    const { uid, mode } = lstatSync(folder)
    return uid === process.getuid?.() && (mode & 0o022) === 0
  }
  try {
    const folder = join(home, 'jackstay', 'compiled')
    const first = existsSync(home) ? home : dirname(home)
    const levels = [home, join(home, 'jackstay'), folder].filter((level) => level !== first)
    // one level at a time, each within what is known to be one's own: nobody's link is followed
    const owned = levels.reduce((above, level) => {
      if (above && !existsSync(level)) mkdirSync(level, { mode: 0o700 })
      return above && own(level)
    }, own(first))
    if (owned) enableCompileCache(folder)
  } catch {
    // no place of one's own: parsed again at each start
  }
  const within = `${url}?`
  // held open: the program may be replaced by a newer one while it runs
  const file = openSync(new URL(url), 'r')
  const { size } = fstatSync(file)
  const textOf = ([fromEnd, length]: readonly [number, number]) => {
    const bytes = Buffer.alloc(length)
    readSync(file, bytes, 0, length, size - fromEnd)
    return bytes.toString('latin1').replaceAll(escaped, '*/')
  }
  registerHooks({
    resolve(asked, context, next) {
      const name = asked.slice(2)
      const ours = context.parentURL?.startsWith(within) && places[name] !== undefined
      if (!ours || !asked.startsWith('./')) return next(asked, context)
      return { url: within + name, format: 'module', shortCircuit: true }
    },
    load(asked, context, next) {
      const place = asked.startsWith(within) ? places[asked.slice(within.length)] : undefined
      if (place === undefined) return next(asked, context)
      return { format: 'module', shortCircuit: true, source: textOf(place) }
    },
  })
  await import(`${within}program`)
}
