const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/**
 * A Kubernetes quantity such as `128Mi`, `1.5` or `500m` as a number good for comparing; undefined
 * where it is none.
 */
export function amountOf(quantity: string | undefined): number | undefined {
  const [, digits, suffix = ''] =
    /^(\d+(?:\.\d+)?(?:[eE]\d{1,2})?)([numkMGTPE]|[KMGTPE]i)?$/.exec(quantity ?? '') ?? []
  const factor = suffixes[suffix]
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}
