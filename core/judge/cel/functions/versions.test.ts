import { describe } from 'node:test'
import { gives } from './cases.ts'

describe('versions, as Kubernetes documents them', () => {
  gives('reads them strictly, or normalizes', [
    ['isSemver("1.0.0")', true],
    ['isSemver("1.0.0-alpha.1+build.5")', true],
    ['isSemver("v1.0")', false],
    ['isSemver("v1.0.0")', false],
    ['isSemver(" 1.0.0")', false],
    ['isSemver("1.01.0")', false],
    ['isSemver("hello")', false],
    ['isSemver("v1.0", true)', true],
    ['isSemver("v1.0", false)', false],
    ['isSemver("200K", true)', false],
    ['semver("1.0")', 'error'],
    [`isSemver("${'0'.repeat(300)}1.0.0", true)`, false],
    ['semver("v01.01", true).compareTo(semver("1.1.0"))', 0n],
    ['semver("Three", true)', 'error'],
  ])
  gives('knows their parts and their order', [
    ['semver("1.2.3").major()', 1n],
    ['semver("1.2.3").minor()', 2n],
    ['semver("1.2.3").patch()', 3n],
    ['semver("1.2.3") == semver("1.2.3+build")', true],
    ['semver("1.2.3").compareTo(semver("1.2.3"))', 0n],
    ['semver("1.2.3").compareTo(semver("2.0.0"))', -1n],
    ['semver("1.2.3").compareTo(semver("0.1.2"))', 1n],
    ['semver("1.2.3").isLessThan(semver("1.10.0"))', true],
    ['semver("1.2.3-rc.1").isLessThan(semver("1.2.3"))', true],
    ['semver("1.2.3").isGreaterThan(semver("1.2.3-rc.1"))', true],
    ['semver("1.2.3").isGreaterThan("1.2.2")', 'error'],
  ])
})
