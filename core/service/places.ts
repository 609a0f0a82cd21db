import { JackstayError } from '@jackstay/contract/errors'

export interface PlacesOptions {
  /** Requests worked on at once, those of callers' own places not counted. */
  readonly all: number
  /** Of them for requests whose credentials nobody has checked yet. */
  readonly strangers: number
  /** Of those from one address. */
  readonly perSource: number
  /** Each known caller has so many also while all others are taken. */
  readonly own: number
}

/** A place that one request holds. */
export interface Place {
  readonly known: boolean
  /** Its credentials were good: it moves to the places of its caller. @throws JackstayError `overloaded` */
  knownAs(caller: string): void
  leave(): void
}

export interface Places {
  /**
   * `caller` where the credentials are known to have been good not long ago.
   * @throws JackstayError `overloaded`
   */
  take(source: string, caller: string | undefined): Place
}

/**
 * Places for requests under way. Before its credentials are checked a request shares them with strangers,
 * a few for each address; afterwards its caller's flood takes nobody else's, because each caller has some
 * of its own (T13). Connections bound how many there are altogether.
 */
export function places({ all, strangers, perSource, own }: PlacesOptions): Places {
  const sources = new Counts()
  const callers = new Counts()
  const enter = (caller: string) => {
    if (callers.of(caller) >= own && callers.total >= all - strangers) throw full()
    callers.add(caller)
  }
  return {
    take(source, known) {
      let caller = known
      if (caller !== undefined) enter(caller)
      else {
        if (sources.total >= strangers || sources.of(source) >= perSource) throw full()
        sources.add(source)
      }
      return {
        get known() {
          return caller !== undefined
        },
        knownAs(name) {
          if (caller !== undefined) return
          enter(name)
          sources.remove(source)
          caller = name
        },
        leave() {
          if (caller !== undefined) callers.remove(caller)
          else sources.remove(source)
        },
      }
    },
  }
}

function full(): JackstayError {
  return new JackstayError('overloaded', 'too many requests are being worked on; try again')
}

class Counts {
  total = 0
  readonly #of = new Map<string, number>()

  of(key: string): number {
    return this.#of.get(key) ?? 0
  }

  add(key: string): void {
    this.#of.set(key, this.of(key) + 1)
    this.total++
  }

  remove(key: string): void {
    const left = this.of(key) - 1
    if (left > 0) this.#of.set(key, left)
    else this.#of.delete(key)
    this.total--
  }
}
