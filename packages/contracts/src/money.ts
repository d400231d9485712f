import { z } from "zod";

/**
 * ISO 4217 (list one) currencies in circulation and the number of digits of their minor unit.
 * Funds, metals, and test codes are left out: nothing is insured in them.
 */
const minorDigits: Record<string, 0 | 2 | 3> = {};
for (const [digits, codes] of [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [
    2,
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP " +
      "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS " +
      "INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN " +
      "MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE " +
      "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
  ],
] as const) {
  for (const code of codes.split(" ")) minorDigits[code] = digits;
}

/** Digits after the point of a currency's minor unit (JPY 0, EUR 2, KWD 3); undefined for an unknown code. */
export function currencyDigits(code: string): 0 | 2 | 3 | undefined {
  return Object.hasOwn(minorDigits, code) ? minorDigits[code] : undefined;
}

/** Every accepted currency code, sorted. */
export const currencyCodes: readonly string[] = Object.keys(minorDigits).sort();

/** An ISO 4217 code in capitals. */
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, "must be an ISO 4217 code in capitals, such as EUR")
  .refine((code) => Object.hasOwn(minorDigits, code), { error: "is not an ISO 4217 currency in circulation" })
  .meta({ id: "Currency", enum: currencyCodes, examples: ["USD"] });

/** Money is an integer count of the currency's minor unit: {amountMinor: 32600, currency: "USD"} is $326.00. */
export const money = z
  .strictObject({
    amountMinor: z
      .int({
        error: ({ input }) => {
          if (input === undefined) return "is required";
          if (Number.isInteger(input)) return "must be at most 9,007,199,254,740,991";
          return "must be a whole number of minor units (cents), not a decimal";
        },
      })
      .min(0, "must not be negative")
      .max(Number.MAX_SAFE_INTEGER),
    currency,
  })
  .meta({ id: "Money", examples: [{ amountMinor: 32600, currency: "USD" }] });
export type Money = z.infer<typeof money>;
