/** Rows of cells as lines: the first column to the left, figures to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  return rows
    .map((row) => {
      const cells = row.map((cell, i) =>
        i === 0 ? cell.padEnd(width(i)) : cell.padStart(width(i)),
      )
      return `  ${cells.join('   ')}`.trimEnd()
    })
    .join('\n')
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** With as many digits as a figure of this kind means something. */
export function rounded(value: number, digits = 2): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}
