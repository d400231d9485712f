import { expect, test } from "vitest";
import { readAudit } from "../../scripts/audit.mjs";

const counts = (more: object) => ({ critical: 0, high: 0, moderate: 0, low: 0, info: 0, ...more });

test("an audit without findings is an answer", () => {
  const text = JSON.stringify({ vulnerabilities: {}, metadata: { vulnerabilities: counts({}) } });
  expect(readAudit(text)).toEqual({ answered: true, counts: counts({}), grave: [] });
});

test("grave findings are named, others only counted", () => {
  const vulnerabilities = {
    a: { name: "a", severity: "high", range: "<1.2" },
    b: { name: "b", severity: "moderate", range: "*" },
  };
  const text = JSON.stringify({
    vulnerabilities,
    metadata: { vulnerabilities: counts({ high: 1, moderate: 1 }) },
  });
  expect(readAudit(text)).toMatchObject({ answered: true, grave: ["a <1.2 (high)"] });
});

test.each(["", "npm error", '{"message":"405 Method Not Allowed"}', '{"error":{"code":"ENOAUDIT"}}', "null"])(
  "%j is no answer, and not taken for a clean one",
  (text) => {
    expect(readAudit(text).answered).toBe(false);
  },
);
