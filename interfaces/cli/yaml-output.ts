import { Document, Scalar, visit } from 'yaml'

// characters that hide, move or colour others; line breaks are YAML's own
const hidden = /[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Cs}\p{Co}]|(?![\n\t])\p{Cc}/u

/** YAML that is safe on a screen too: the same value, what hides or moves text as escapes (T55). */
export function renderYaml(value: unknown): string {
  // through JSON, so that `-o yaml` and `-o json` say the same
  const document = new Document(JSON.parse(JSON.stringify(value)), { aliasDuplicateObjects: false })
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && hidden.test(node.value)) node.type = Scalar.QUOTE_DOUBLE
    },
  })
  const text = document.toString({ lineWidth: 0 })
  return text.replace(new RegExp(hidden, 'gu'), escaped)
}

/** Only in double quotes, where YAML reads it as the character that it was. */
function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16)
  return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
}
