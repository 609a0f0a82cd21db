import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { signCheckpoint } from '../log/checkpoint.ts'
import { cosignerFromSkey, formatCosignerSkey, withSignatures } from '../log/cosignature.ts'
import { generateSkey, ledgerKeyFrom } from '../log/key.ts'
import { parseWitnessPolicy, quorumMet } from './witness-policy.ts'

const log = ledgerKeyFrom(generateSkey('log.example'))
const cosigner = (name: string, n: number) =>
  cosignerFromSkey(formatCosignerSkey(`${name}.example/w`, Buffer.alloc(32, n)))
const names = ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3']
const cosigners = new Map(names.map((name, i) => [name, cosigner(name, i + 1)]))
const witnessLines = [...cosigners].map(([name, { vkey }]) => `witness ${name} ${vkey}`)

/** The example of the specification, with keys. */
const policyText = `# two organisations
log ${log.vkey} https://log.example/
${witnessLines.slice(0, 3).join('\n')}
group X-witnesses 2 X1 X2 X3

${witnessLines.slice(3).join('\n\t ')}
group Y-witnesses any Y1 Y2 Y3
  group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`

const note = signCheckpoint({ origin: log.name, size: 4, root: Buffer.alloc(32, 1) }, [log])
const noteText = note.slice(0, note.indexOf('\n\n') + 1)
function cosignedBy(who: readonly string[]): string {
  return withSignatures(
    note,
    who.map((name) => cosigners.get(name)?.cosign(noteText, 1_700_000_000) ?? ''),
  )
}

describe('witness policy', () => {
  it('meets the quorum of the specification for exactly the sets it names', () => {
    const policy = parseWitnessPolicy(policyText)
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...names)), (who) => {
        const x = who.filter((name) => name.startsWith('X')).length
        const y = who.filter((name) => name.startsWith('Y')).length
        const { met, cosigned } = quorumMet(cosignedBy(who), policy)
        assert.equal(met, x >= 2 && y >= 1)
        assert.deepEqual(cosigned.map(({ name }) => name).toSorted(), who.toSorted())
      }),
    )
  })

  it('says what is missing', () => {
    const policy = parseWitnessPolicy(policyText)
    const { met, reason } = quorumMet(cosignedBy(['X1', 'Y1']), policy)
    assert.ok(!met)
    assert.match(reason, /`X-and-Y` needs 2 of 2 and has 1: `X-witnesses` needs 2 of 3 and has 1/)
    assert.match(reason, /not cosigned by `X2`; not cosigned by `X3`/)
    const good = quorumMet(cosignedBy(['X1', 'X2', 'Y3']), policy)
    assert.equal(good.reason, 'cosigned by `X1`, `X2`, `Y3`')
    assert.deepEqual(good.cosigned[0], { name: 'X1', time: 1_700_000_000 })
  })

  it('counts a witness once, however often it signed', () => {
    const policy = parseWitnessPolicy(policyText)
    const again = cosigners.get('X1')?.cosign(noteText, 5) ?? ''
    const twice = `${cosignedBy(['X1', 'Y1'])}${again}`
    assert.ok(!quorumMet(twice, policy).met)
  })

  it('T69: rejects a note whose cosignature is forged, and one that no known log signed', () => {
    const policy = parseWitnessPolicy(policyText)
    const good = cosignedBy(['X1', 'X2', 'Y1'])
    const other = ledgerKeyFrom(generateSkey('other.example'))
    const root = Buffer.alloc(32, 1)
    const foreign = signCheckpoint({ origin: other.name, size: 4, root }, [other])
    assert.ok(!quorumMet(good.replace('\n4\n', '\n5\n'), policy).met)
    assert.ok(!quorumMet(foreign, policy).met)
    const stolen = withSignatures(foreign, good.split(/(?<=\n)/).slice(4))
    assert.ok(!quorumMet(stolen, policy).met)
    // cosignatures without the log's own signature are worth nothing
    const unsigned = good.replace(/— log\.example .*\n/, '')
    assert.match(quorumMet(unsigned, policy).reason, /not signed by the log/)
  })

  it('asks for nobody with `quorum none`, but for the log', () => {
    const policy = parseWitnessPolicy(`log ${log.vkey}\nquorum none\n`)
    assert.ok(quorumMet(note, policy).met)
    assert.ok(!quorumMet(note.replace('\n4\n', '\n5\n'), policy).met)
  })

  it('refuses malformed policies and names the line', () => {
    const [x1 = '', x2 = ''] = witnessLines
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /no `quorum` line/],
      ['quorum X1', /line 1 .*not defined above/],
      [`${x1}\nquorum X1\nquorum X1`, /line 3 .*second/],
      [`${x1}\n${x1.replace('X1', 'X9')}\nquorum X1`, /line 2 .*twice/],
      [`${x1}\n${x2.replace('X2', 'X1')}\nquorum X1`, /line 2 .*defined twice/],
      [`${x1}\n${x2}\ngroup g 3 X1 X2\nquorum g`, /line 3 .*from 1 to 2/],
      [`${x1}\n${x2}\ngroup g 0 X1 X2\nquorum g`, /line 3/],
      [`${x1}\n${x2}\ngroup g any X1 X1\nquorum g`, /line 3 .*already a member/],
      [`${x1}\ngroup a any X1\ngroup b any X1\nquorum b`, /line 3 .*already a member/],
      [`${x1}\ngroup g any X1 none\nquorum g`, /line 2 .*`none` is not defined/],
      [`${x1.replace('X1', 'none')}\nquorum none`, /line 1 .*cannot name/],
      [`witness W ${log.vkey}\nquorum W`, /no verifier key of a witness/],
      [`${x1} ftp://x\nquorum X1`, /line 1 .*no web address/],
      ['sigsum policy\nquorum none', /line 1 .*`sigsum`/],
      ['quorum none\r\n', /plain text/],
    ]
    for (const [text, expected] of cases) {
      assert.throws(() => parseWitnessPolicy(text), { code: 'invalid_config', message: expected })
    }
  })
})
