import { escape as escaped } from '@influxdata/influxdb-client'

/** The shortest text that reads back as the very same number, the sign of a zero included; line protocol and JSON take it. */
export const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

/** A text as the value of a field. */
export const quoted = (text: string): string => escaped.quoted(text)

/** A text as the value of a tag. */
export const tag = (text: string): string => escaped.tag(text)
