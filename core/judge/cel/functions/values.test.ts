import { describe } from 'node:test'
import { gives } from './cases.ts'

describe('values, where the library alone is wrong', () => {
  gives('has a key also where its value is null', [
    ['has({"a": null}.a)', true],
    ['"a" in {"a": null}', true],
    ['"b" in {"a": null}', false],
    ['has({"a": 1}.b)', false],
    ['has({}.a.b)', 'error'],
    ['has(dyn(null).a)', 'error'],
    ['has(dyn("text").a)', 'error'],
  ])
  gives('makes no map with two equal keys', [
    ['{0: 1, 0u: 2}[0.0]', 'error'],
    ['{1: 1, 2u: 2}[2]', 2n],
    ['{1.0: 1}', 'error'],
    ['{"a": 1, "a": 2}', 'error'],
    ['{true: 1}[true]', 1n],
  ])
  gives('refuses numbers that do not fit', [
    ['9223372036854775807', 9223372036854775807n],
    ['9223372036854775808', '`9223372036854775808` does not fit into 64 bits'],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551616u', '`18446744073709551616u` does not fit into 64 bits'],
    ['1e400', 'the number is too large for a double'],
    ['int("9223372036854775808")', 'error'],
    ['int("0x10")', 'error'],
    ['int("")', 'error'],
    ['uint("7") == 7u', true],
    ['uint("-1")', 'error'],
    ['double("NaN")', 'error'],
    ['double("1e3")', 1000],
    ['double("1e400")', 'error'],
  ])
  gives('compares across types of numbers, and else within one type', [
    ['1 == 1.0 && 1u == 1 && [1] == [1.0] && {"a": 1} == {"a": 1u}', true],
    ['dyn(1) == "1" || dyn(null) == false || [1] == [2]', false],
    ['b"a" == b"a" && b"a" != b"b"', true],
    ['type(1) == int && type(1) != uint', true],
    ['timestamp(1) == timestamp("1970-01-01T00:00:01Z")', true],
    ['timestamp(1) == duration("1s")', false],
  ])
  gives('takes a method for a method, and a function for a function', [
    ['startsWith("ab", "a")', 'error'],
    ['"ab".startsWith("a") && "ab".endsWith("b") && "ab".contains("ab")', true],
    ['"1".int()', 'error'],
    ['size("ab") == "ab".size()', true],
  ])
  gives('keeps the variables of macros apart', [
    ['[1, 2].map(x, [10, 20].map(y, x * y)) == [[10, 20], [20, 40]]', true],
    ['[1, 2].filter(x, [1].exists(y, x == y)).map(x, x + 1) == [2]', true],
    ['[[1, 2], [3]].map(x, x.filter(y, y > 1)) == [[2], [3]]', true],
    ['[1, 2, 2].exists_one(x, [2].all(y, x == y))', false],
    ['{"a": 1, "b": 2}.map(k, k) == ["a", "b"]', true],
    ['[1].map(x, [2].filter(x, x > 1))', '`x` already has a meaning; use another name'],
  ])
  gives('refuses names of no function, with the nearest', [
    ['isQantity("1")', 'unknown function `isQantity`'],
    ['sets.contain([1], [1])', 'unknown function `sets.contain`'],
    ['math.greatest(1, 2)', 'unknown function `greatest`'],
  ])
})
