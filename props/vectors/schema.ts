/** JSON Schema of an io-ts type: what vectors.json must be, for those who do not read TypeScript. */
import type * as t from 'io-ts'
import { isObject, type Json, type JsonObject } from '../../src/bytes/json.js'

type Known =
  | t.InterfaceType<t.AnyProps>
  | t.PartialType<t.AnyProps>
  | t.IntersectionType<t.Mixed[]>
  | t.ReadonlyArrayType<t.Mixed>
  | t.TupleType<t.Mixed[]>
  | t.DictionaryType<t.Mixed, t.Mixed>
  | t.KeyofType<Record<string, unknown>>
  | t.LiteralType<string | number | boolean>
  | t.StringType
  | t.NumberType
  | t.BooleanType

const isKnown = (type: object): type is Known => '_tag' in type

const object = (props: t.AnyProps, required: readonly string[]): JsonObject => ({
  type: 'object',
  properties: Object.fromEntries(Object.entries(props).map(([name, of]: [string, t.Mixed]) => [name, schemaOf(of)])),
  required: [...required]
})

const merged = (all: readonly JsonObject[]): JsonObject => {
  const part = (key: string): readonly Json[] => all.flatMap((each) => (each[key] === undefined ? [] : [each[key]]))
  return {
    type: 'object',
    properties: Object.fromEntries(part('properties').flatMap((each) => (isObject(each) ? Object.entries(each) : []))),
    required: part('required').flat(),
    additionalProperties: false
  }
}

/** The schema. A type without a tag is the id of a clause. */
export const schemaOf = (type: object): JsonObject => {
  if (!isKnown(type)) return { type: 'string', pattern: '^[A-Z0-9]+-[0-9]+$' }
  switch (type._tag) {
    case 'InterfaceType':
      return object(type.props, Object.keys(type.props))
    case 'PartialType':
      return object(type.props, [])
    case 'IntersectionType':
      return merged(type.types.map((each) => schemaOf(each)))
    case 'ReadonlyArrayType':
      return { type: 'array', items: schemaOf(type.type) }
    case 'TupleType':
      return {
        type: 'array',
        items: type.types.map((each) => schemaOf(each)),
        minItems: type.types.length,
        maxItems: type.types.length
      }
    case 'DictionaryType':
      return { type: 'object', additionalProperties: schemaOf(type.codomain) }
    case 'KeyofType':
      return { enum: Object.keys(type.keys) }
    case 'LiteralType':
      return { const: type.value }
    case 'StringType':
      return { type: 'string' }
    case 'NumberType':
      return { type: 'number' }
    case 'BooleanType':
      return { type: 'boolean' }
  }
}
