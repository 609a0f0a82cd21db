import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { PolicyDesk, policyYaml } from './desk.ts'

const desk = new PolicyDesk()
after(() => desk.clean())

interface Listed {
  readonly severity: string
  readonly line: number
  readonly column: number
  readonly message: string
  readonly suggestion?: string
}

/** What `policy check -o json` says about one file. */
async function mistakesOf(text: string | Uint8Array, name = 'a.yaml'): Promise<readonly Listed[]> {
  const { out } = await desk.policy('check', desk.write(name, text), '-o', 'json')
  return JSON.parse(out).mistakes
}

/** The text at the place of the first mistake whose message fits. */
async function pointedAt(text: string, says: RegExp): Promise<string> {
  const mistakes = await mistakesOf(text)
  const found = mistakes.find(({ message }) => says.test(message))
  assert.ok(found, JSON.stringify(mistakes))
  return (text.split(/\r?\n/)[found.line - 1] ?? '').slice(found.column - 1)
}

const allow = '- name: a\n  allow: { when: "true" }\n'

describe('policy check', () => {
  it('says ok to what has no mistake', async () => {
    const { exit, out, err } = await desk.policy('check', desk.write('ok.yaml', policyYaml(allow)))
    assert.deepEqual({ exit, err }, { exit: 0, err: '' })
    assert.equal(out, 'ok — 1 file, 1 readable policy, 1 rule\n')
  })

  const mistakes: readonly (readonly [string, string, RegExp, string, string?])[] = [
    [
      'a misspelt field of a rule',
      '- name: a\n  alow: { when: "true" }',
      /unknown field `alow`/,
      'alow:',
      'allow',
    ],
    [
      'a misspelt field of an effect',
      '- name: a\n  deny: { when: "true", mesage: x }',
      /unknown field `mesage`/,
      'mesage',
      'message',
    ],
    [
      'a misspelt variable',
      '- name: a\n  deny:\n    when: true && tarrget.name == "x"',
      /unknown variable `tarrget`/,
      'tarrget.name',
      'target',
    ],
    [
      'a misspelt function',
      '- name: a\n  deny: { when: target.name.startWith("x") }',
      /unknown function `startWith`/,
      '',
      'startsWith',
    ],
    [
      'a value outside its words',
      '- name: a\n  deny: { when: plan.reversibility == "invers" }',
      /`invers` is never the value/,
      '"invers" }',
      'inverse',
    ],
    [
      'the wrong type',
      '- name: a\n  deny: { when: true }',
      /`spec.rules\[0\].deny.when` is `true` and must be text; write it in quotes/,
      'true }',
    ],
    [
      'a missing field',
      '- name: a\n  requireApproval: { when: "true", groups: [sre] }',
      /requireApproval.count` is missing/,
      '{ when',
    ],
    ['a rule without effect', '- name: a', /needs an effect/, 'name: a'],
    [
      'a rule with two effects',
      '- name: a\n  allow: { when: "true" }\n  deny: { when: "true" }',
      /one effect/,
      'deny:',
    ],
    ['two rules of one name', `${allow}${allow}`, /another rule of this policy is named `a`/, 'a'],
    [
      'a key given twice',
      '- name: a\n  deny: { when: "true", when: "false" }',
      /`when` is given twice/,
      'when: "false"',
    ],
    [
      'a word that kubectl reads otherwise',
      '- name: a\n  requireApproval: { when: "true", count: 1, groups: [on] }',
      /a bare `on` is true or false/,
      'on]',
    ],
    [
      'a number that kubectl reads as octal',
      '- name: a\n  requireApproval: { when: "true", count: 010, groups: [sre] }',
      /`010` is octal/,
      '010',
    ],
    [
      'a group of the system',
      '- name: a\n  requireApproval: { when: "true", count: 1, groups: ["system:masters"] }',
      /groups of people/,
      '["system',
    ],
    [
      'an error that `||` would swallow in allow',
      '- name: a\n  allow: { when: "intent.params.x == 1 || true" }',
      /would swallow/,
      '',
      'has(intent.params.x) && …',
    ],
  ]
  for (const [name, rules, says, at, suggestion] of mistakes) {
    it(`finds ${name}`, async () => {
      const text = policyYaml(rules)
      const listed = await mistakesOf(text)
      const found = listed.find(({ message }) => says.test(message))
      assert.ok(found, JSON.stringify(listed))
      assert.equal(found.suggestion, suggestion)
      assert.ok((await pointedAt(text, says)).startsWith(at))
      const { exit } = await desk.policy('check', desk.write('one.yaml', text))
      assert.equal(exit, 2)
    })
  }

  it('finds unknown actions with the nearest of the catalogue, and a misspelt mode and kind', async () => {
    const [action] = await mistakesOf(
      policyYaml(allow).replace('[workload.scale]', '[workload.scal]'),
    )
    assert.equal(action?.suggestion, 'workload.scale')
    const [mode] = await mistakesOf(policyYaml(allow, 'p', 'mode: enforced'))
    assert.equal(mode?.suggestion, 'enforce')
    const [kind] = await mistakesOf(policyYaml(allow).replace('ActionPolicy', 'ActionPolicies'))
    assert.equal(kind?.suggestion, 'ActionPolicy')
    const [version] = await mistakesOf(policyYaml(allow).replace('v1alpha1', 'v1'))
    assert.match(version?.message ?? '', /`apiVersion` is `jackstay.dev\/v1`/)
    const [top] = await mistakesOf(policyYaml(allow).replace('spec:', 'specs:'))
    assert.match(top?.message ?? '', /`spec` is missing|unknown field `specs`/)
  })

  it('finds all of them, also of a rule with several', async () => {
    const rules =
      '- name: A\n  deny: { whn: x }\n- name: b\n  deny: { when: nope }\n- name: c\n  allow: { when: "1 +" }'
    const listed = await mistakesOf(policyYaml(rules, 'p', 'mode: x'))
    const lines = listed.filter(({ severity }) => severity === 'error').map(({ line }) => line)
    assert.deepEqual(lines, [5, 8, 9, 11, 13])
  })

  it('places mistakes inside every style of text, also with CRLF', async () => {
    const styles = [
      "when: 'tarrget.name == ''x'''",
      'when: "\\u0074rue && tarrget.name == \\"x\\""',
      'when: |\n      true &&\n        tarrget.name == "x"',
      'when: >-\n      true\n\n      && tarrget.name == "x"',
      'when: true\n      && tarrget.name == "x"',
      'when: &anchor tarrget.name == "x"',
    ]
    for (const style of styles) {
      const text = policyYaml(`- name: a\n  deny:\n    ${style}`)
      for (const file of [text, text.replaceAll('\n', '\r\n'), `\ufeff${text}`]) {
        assert.match(await pointedAt(file, /tarrget/), /^tarrget\.name/, style)
      }
    }
  })

  it('shows people the line with a caret, and escapes what hides', async () => {
    const rules = '- name: a\n  deny: { when: "target.name == \'\u202e\u001b[2J\' && tarrget" }'
    const { out } = await desk.policy('check', desk.write('frame.yaml', policyYaml(rules)))
    const [, source = '', caret = ''] = out.split('\n')
    assert.ok(caret.includes('^^^^^^^'), out)
    assert.equal(caret.indexOf('^'), source.indexOf('tarrget'))
    assert.doesNotMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
  })

  it('refuses two policies of one name, also in two files', async () => {
    const one = desk.write('twice/a.yaml', policyYaml(allow))
    const { exit, out } = await desk.policy(
      'check',
      desk.write('twice/b.yaml', policyYaml(allow)),
      one,
    )
    assert.equal(exit, 2)
    assert.match(out, /another policy is named `p` \(.*b.yaml:3\)/)
  })

  it('warns of a set without an allow in force, and ends well', async () => {
    const denying = policyYaml('- name: a\n  deny: { when: "true" }')
    const auditing = policyYaml(allow, 'q', 'mode: audit')
    const { exit, out } = await desk.policy(
      'check',
      desk.write('w.yaml', `${denying}---\n${auditing}`),
    )
    assert.equal(exit, 0)
    assert.match(out, /warning: no rule in force allows anything/)
  })

  it('reads several documents, lists of kubectl, anchors and merges, and passes over the rest', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } },
        {
          apiVersion: 'jackstay.dev/v1alpha1',
          kind: 'ActionPolicy',
          metadata: { name: 'l', uid: 'u', managedFields: [] },
          spec: { mode: 'enforce', actions: ['*'], rules: [{ name: 'a', deny: { when: 'nope' } }] },
          status: {},
        },
      ],
    }
    const merged = `x: &x { when: "tarrget" }
apiVersion: v1
kind: ConfigMap
data: { left: on }
---
${policyYaml('- name: a\n  deny: &d { when: "true" }\n- name: b\n  deny: { <<: *d, message: never }')}`
    const { out } = await desk.policy(
      'check',
      desk.write('list.json', JSON.stringify(list, null, 1)),
      desk.write('merged.yaml', merged),
    )
    assert.match(out, /list.json:\d+:\d+: error: unknown variable `nope`/)
    assert.match(out, /passed over ConfigMap x/)
    assert.match(out, /1 mistake|2 readable policies, 3 rules/)
    assert.doesNotMatch(out, /merged.yaml:\d+/)
  })

  it('walks a folder, passes over cases, and reads stdin', async () => {
    desk.write('tree/deep/a.yaml', policyYaml(allow))
    desk.write('tree/a.test.yaml', 'cases: []')
    desk.write('tree/.hidden/b.yaml', 'nonsense: [')
    desk.write('tree/readme.md', '# no')
    const walked = await desk.policy('check', `${desk.folder}/tree`, '-o', 'json')
    assert.deepEqual(JSON.parse(walked.out).files, [`${desk.folder}/tree/deep/a.yaml`])
    const piped = await desk.piped(policyYaml('- name: a\n  deny: { when: nope }'), 'check', '-')
    assert.equal(piped.exit, 2)
    assert.match(piped.out, /^<stdin>:9:21: error/)
  })

  it('runs as the command that people type', async () => {
    const file = desk.write('typed.yaml', policyYaml('- name: a\n  deny: { when: nope }'))
    const args = ['run', '-s', 'jackstay', '--', 'policy', 'check', file]
    const root = new URL('../../../', import.meta.url).pathname
    const ran = await promisify(execFile)('npm', args, { cwd: root }).catch((error) => error)
    assert.equal(ran.code, 2)
    assert.match(ran.stdout, /unknown variable `nope`/)
    assert.match(ran.stderr, /1 mistake; correct it and check again \[invalid_rule\]/)
  })
})

describe('policy check with the wrong files', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (const [i, c] of [...'bcdefghi'].entries()) {
    bomb.push(`${c}: &${c} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`)
  }
  const files: readonly (readonly [string, string | Uint8Array, number, RegExp])[] = [
    ['an empty file', '', 2, /warning: nothing in this file/],
    ['comments alone', '# nothing\n---\n', 2, /warning: nothing in this file/],
    ['a binary', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0]), 2, /is no text in UTF-8/],
    ['a file too large', `# ${'x'.repeat(10 * 1024 * 1024)}`, 2, /larger than 2 MiB; split it/],
    ['an alias bomb', bomb.join('\n'), 2, /aliases multiply this document/],
    ['an alias of itself', 'a: &a { b: *a }', 2, /inside its own anchor/],
    ['an alias of nothing', 'a: *b', 2, /no YAML: unresolved alias/],
    ['tabs', 'a:\n\t- b', 2, /a tab cannot indent YAML/],
    ['a text', 'hello', 2, /no Kubernetes object/],
    ['a number', '42', 2, /no Kubernetes object/],
    ['a list', '- a\n- b', 2, /no Kubernetes object/],
    ['a bracket left open', 'a: [1', 2, /no YAML: /],
    ['brackets without end', '['.repeat(100_000), 2, /nests deeper than any policy/],
    ['a key of a prototype', '__proto__: { kind: ActionPolicy }', 2, /no Kubernetes object/],
  ]
  for (const [name, content, exit, says] of files) {
    it(`${name}: exit code ${exit}, and says so`, async () => {
      const ran = await desk.policy('check', desk.write('wrong.yaml', content))
      assert.equal(ran.exit, exit, ran.out + ran.err)
      assert.match(ran.out + ran.err, says)
      assert.doesNotMatch(ran.err, /a bug of ours/)
    })
  }
  it('names a path that is not there, and a folder with nothing in it', async () => {
    const missing = await desk.policy('check', `${desk.folder}/none.yaml`)
    assert.deepEqual([missing.exit, /cannot be read \(ENOENT\)/.test(missing.err)], [4, true])
    desk.write('bare/x.txt', '')
    const bare = await desk.policy('check', `${desk.folder}/bare`)
    assert.deepEqual([bare.exit, /has no `\*.yaml`/.test(bare.err)], [2, true])
  })
  it('reads a device no further than a file may be large', async () => {
    const { exit, err } = await desk.policy('check', '/dev/zero')
    assert.deepEqual([exit, /larger than/.test(err)], [2, true])
  })
})
