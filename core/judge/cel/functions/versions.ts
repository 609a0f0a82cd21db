import { CelScalar, celFunc, celMethod } from '@bufbuild/cel'
import { SemVer } from 'semver'
import { described, type Family } from './family.ts'
import { type Opaque, opaque } from './opaque.ts'

const { BOOL, INT, STRING } = CelScalar

/** A version per semver.org, without the prefix `v` that the library lets pass. */
export function readVersion(text: string, normalize = false): SemVer | undefined {
  if (text.length > 256) return undefined
  const plain = normalize ? normal(text) : text
  if (!/^\d/.test(plain)) return undefined
  try {
    return new SemVer(plain)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** `v1.02` is `1.2.0`: no prefix, no leading zeros, no missing part. */
function normal(text: string): string {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?([-+].*)?$/.exec(text)
  if (match === null) return text
  const [, major = '0', minor = '0', patch = '0', rest = ''] = match
  const number = (digits: string) => digits.replace(/^0+(?=\d)/, '')
  return `${number(major)}.${number(minor)}.${number(patch)}${rest}`
}

/** Build metadata says nothing about order, so it is not kept. */
const versionType: Opaque<SemVer> = opaque('kubernetes.Semver', {
  write: (version) => version.version,
  read: (text) => readVersion(text),
})
export const versionTypes = [versionType.desc]

function version(text: string, normalize = false): SemVer {
  const found = readVersion(text, normalize)
  if (found === undefined) throw new TypeError('not a semantic version such as `1.2.3`')
  return found
}

/** `isGreaterThan`, `isLessThan` and `compareTo` are described with quantities. */
export function versions(): Family {
  const { type, wrap, unwrap } = versionType
  const part = (name: 'major' | 'minor' | 'patch') =>
    celMethod(name, type, [], INT, function () {
      return BigInt(unwrap(this)[name])
    })
  return {
    title: 'Versions',
    functions: [
      described(
        'semver',
        ['semver(string) → Semver', 'semver(string, bool) → Semver'],
        'A semantic version; with `true`, also one such as `v1.2`.',
      ),
      described(
        'isSemver',
        ['isSemver(string) → bool', 'isSemver(string, bool) → bool'],
        'Whether `semver` takes the text.',
      ),
      described('major', ['Semver.major() → int'], 'The first number.'),
      described('minor', ['Semver.minor() → int'], 'The second number.'),
      described('patch', ['Semver.patch() → int'], 'The third number.'),
    ],
    implementations: [
      celFunc('semver', [STRING], type, (text) => wrap(version(text))),
      celFunc('semver', [STRING, BOOL], type, (text, loose) => wrap(version(text, loose))),
      celFunc('isSemver', [STRING], BOOL, (text) => readVersion(text) !== undefined),
      celFunc('isSemver', [STRING, BOOL], BOOL, (text, loose) => {
        return readVersion(text, loose) !== undefined
      }),
      part('major'),
      part('minor'),
      part('patch'),
      celMethod('isGreaterThan', type, [type], BOOL, function (other) {
        return unwrap(this).compare(unwrap(other)) > 0
      }),
      celMethod('isLessThan', type, [type], BOOL, function (other) {
        return unwrap(this).compare(unwrap(other)) < 0
      }),
      celMethod('compareTo', type, [type], INT, function (other) {
        return BigInt(unwrap(this).compare(unwrap(other)))
      }),
    ],
  }
}
