import { describe } from 'node:test'
import { gives } from './cases.ts'

describe('lists and sets, as Kubernetes documents them', () => {
  gives('has the functions of lists', [
    ['["a", "b", "b", "c"].isSorted()', true],
    ['[2.0, 1.0].isSorted()', false],
    ['[1].isSorted()', true],
    ['[].isSorted()', true],
    ['[duration("1s"), duration("1m")].isSorted()', true],
    ['[1, "a"].isSorted()', 'error'],
    ['[1, 3].sum()', 4n],
    ['[1.0, 3.0].sum()', 4],
    ['[].sum() == 0', true],
    ['["a"].sum()', 'error'],
    ['[duration("1m"), duration("1s")].sum() == duration("61s")', true],
    ['[9223372036854775807, 1].sum()', 'error'],
    ['[1, 3].min()', 1n],
    ['[1, 3].max()', 3n],
    ['["b", "a"].max()', 'b'],
    ['[].min()', 'error'],
    ['[{}].max()', 'error'],
    ['[1, 2, 2, 3].indexOf(2)', 1n],
    ['["a", "b", "b", "c"].lastIndexOf("b")', 2n],
    ['[1.0].indexOf(1.1)', -1n],
    ['[].indexOf("a")', -1n],
  ])
  gives('has the functions of sets', [
    ['sets.contains([], [])', true],
    ['sets.contains([], [1])', false],
    ['sets.contains([1, 2, 3, 4], [2, 3])', true],
    ['sets.contains([1, 2.0, 3u], [1.0, 2u, 3])', true],
    ['sets.equivalent([1], [1, 1])', true],
    ['sets.equivalent([1], [1u, 1.0])', true],
    ['sets.equivalent([1, 2, 3], [3u, 2.0, 1])', true],
    ['sets.equivalent([1], [2])', false],
    ['sets.intersects([1], [])', false],
    ['sets.intersects([1], [1, 2])', true],
    ['sets.intersects([[1], [2, 3]], [[1, 2], [2, 3.0]])', true],
  ])
})
