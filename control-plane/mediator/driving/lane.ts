/** So many of those that only look whether anything changed are at it at a time. */
const most = 4

/** Ten thousand that look again keep nobody waiting: a few at a time, everybody else passes them. */
export interface Lane {
  add(id: string): void
  /** One was worked on, whether it came through here or not. */
  done(id: string): void
}

/** `start` has one worked on, and says whether there was a place; `done` follows. */
export function lane(start: (id: string) => boolean): Lane {
  const next = new Set<string>()
  const running = new Set<string>()
  const pump = () => {
    for (const id of next) {
      if (running.size >= most || !start(id)) return
      next.delete(id)
      running.add(id)
    }
  }
  return {
    add(id) {
      next.add(id)
      pump()
    },
    done(id) {
      running.delete(id)
      pump()
    },
  }
}
