import { describe } from 'node:test'
import { gives } from './cases.ts'

const sixteen = `"${'a'.repeat(16)}"`
const sixteenfold = `.replace("a", ${sixteen})`

describe('texts', () => {
  gives('counts characters, not UTF-16 units', [
    ['"😀b".charAt(1)', 'b'],
    ['"😀b".charAt(2)', ''],
    ['"😀b".charAt(3)', 'error'],
    ['"😀b".indexOf("b")', 1n],
    ['"😀b😀b".indexOf("b", 2)', 3n],
    ['"😀b😀b".lastIndexOf("b")', 3n],
    ['"😀b😀b".lastIndexOf("b", 2)', 1n],
    ['"😀bc".substring(1)', 'bc'],
    ['"😀bc".substring(0, 1)', '😀'],
    ['"abc".substring(2, 1)', 'error'],
    ['"abc".substring(-1)', 'error'],
    ['size("😀")', 1n],
    ['"\\uffff" < "😀"', true],
  ])
  gives('takes texts apart and puts them together', [
    ['"a,b,c".split(",") == ["a", "b", "c"]', true],
    ['"a,b,c".split(",", 2) == ["a", "b,c"]', true],
    ['"a,b,c".split(",", 0) == []', true],
    ['"a,b,c".split(",", -1) == ["a", "b", "c"]', true],
    ['"😀b".split("") == ["😀", "b"]', true],
    ['["a", "b"].join()', 'ab'],
    ['["a", "b"].join("-")', 'a-b'],
    ['[1].join()', 'error'],
    ['"hello hello".replace("he", "we")', 'wello wello'],
    ['"hello hello".replace("he", "we", 1)', 'wello hello'],
    ['"hello hello".replace("he", "we", 0)', 'hello hello'],
    ['"ab".replace("", "-")', '-a-b-'],
    ['"TacoCÆt".lowerAscii()', 'tacocÆt'],
    ['"TacoCÆt".upperAscii()', 'TACOCÆT'],
    ['"  \\ttrim\\n    ".trim()', 'trim'],
    ['"%d of %s".format([1, "x"])', '1 of x'],
    ['strings.quote("a\\nb")', '"a\\nb"'],
  ])
  gives('makes no text beyond the bound', [
    [`${sixteen}${sixteenfold.repeat(3)}.size()`, 65_536n],
    [`(${sixteen}${sixteenfold.repeat(3)} + "a").size()`, 'error'],
    [`${sixteen}${sixteenfold.repeat(4)}.size()`, 'error'],
    [`"a"${'.replace("a", "aaaaaaaaaa")'.repeat(5)}.size()`, 'error'],
    [
      `["${'a'.repeat(3000)}"].map(x, [x, x, x, x, x]).map(x, [x.join(), x.join(), x.join(), x.join(), x.join()].join())`,
      'error',
    ],
    [`"${'%s'.repeat(500)}".format(["${'a'.repeat(1000)}"].map(x, x))`, 'error'],
  ])
})
