/*
 * A program of some megabytes spends most of its start on being parsed. Node keeps what V8 made of a
 * module (its compile cache), but only of modules that are loaded after the cache was switched on. So
 * that a program stays one file, it stands in a comment of itself, which costs a few milliseconds to
 * read over, and is loaded from there.
 */

const [opening, closing] = ['/*program\n', '\nprogram*/']
/** For the two characters that would end the comment early. */
const escaped = '*\x01/'

/**
 * One file that switches the cache on and runs the program within. What V8 made of it may be run in
 * its place, so it is kept only in a folder that belongs, like the one above it, to whoever runs the
 * program. Where there is none, or it cannot be written, everything works as without.
 */
export function launched(program: string): string {
  if (program.includes(escaped)) throw new Error('a program has in it what stands for `*/`')
  // licences have such characters, in comments
  const ascii = program.replace(/[\u0080-\uffff]/g, (c) => `\\u${hex(c)}`)
  const body = ascii.replaceAll('*/', escaped)
  return `await (${String(launch)})(import.meta.url, ${JSON.stringify([opening, closing, escaped])})\n${opening}${body}${closing}\n`
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, '0')
}

// runs inside a bundle, where nothing of this file is at hand; written as an old Node parses it
async function launch(url: string, [opening, closing, escaped]: string[]) {
  const builtin = process.getBuiltinModule
  const { enableCompileCache, registerHooks } = builtin('node:module')
  const { existsSync, lstatSync, mkdirSync, readFileSync } = builtin('node:fs')
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
  const inner = `${url}?program`
  const hooks = registerHooks({
    load(asked, context, next) {
      if (asked !== inner) return next(asked, context)
      const text = readFileSync(new URL(url), 'latin1')
      const begin = text.indexOf(opening ?? '') + (opening ?? '').length
      const source = text.slice(begin, text.lastIndexOf(closing ?? ''))
      return {
        ...{ format: 'module', shortCircuit: true },
        source: source.replaceAll(escaped ?? '', '*/'),
      }
    },
  })
  const running = import(inner)
  hooks.deregister()
  await running
}
