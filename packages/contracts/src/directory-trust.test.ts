import { describe, expect, test } from "vitest";
import {
  maxDirectoryVersion,
  maxVersionStep,
  orderOfVersions,
  originFault,
  originFaults,
} from "./directory-trust.ts";

describe("orderOfVersions", () => {
  test.each([
    [7, 7, "same"],
    [8, 7, "newer"],
    [7 + maxVersionStep, 7, "newer"],
    [8 + maxVersionStep, 7, "beyond"],
    [maxDirectoryVersion, 7, "beyond"],
    [6, 7, "older"],
    [1, 1 + maxVersionStep, "older"],
    // Nobody can have reached what is believed: the publisher goes on from where it was.
    [8, maxDirectoryVersion, "newer"],
  ])("%i after %i is %s", (version, believed, order) => {
    expect(orderOfVersions(version, believed)).toBe(order);
  });
});

describe("originFault", () => {
  const production = { zone: "proveniq.io", loopback: false };
  test.each([
    ["https://eu-api.cells.proveniq.io", undefined],
    ["http://eu-api.cells.proveniq.io", "must be https"],
    ["https://eu-api.cells.proveniq.io:8443", "must have no port"],
    ["https://proveniq.io.evil.example", "is not in the zone proveniq.io"],
    ["https://evilproveniq.io", "is not in the zone proveniq.io"],
    ["https://proveniq.io", "is not in the zone proveniq.io"],
    ["http://127.0.0.1:9001", "is this machine itself"],
    ["https://localhost", "is this machine itself"],
    ["http://[::1]:80", "is this machine itself"],
    ["http://169.254.169.254", "must be https"],
  ])("%s", (origin, fault) => {
    expect(originFault(origin, production)).toBe(fault);
  });

  test("this machine is allowed in development, and nothing else besides", () => {
    const development = { ...production, loopback: true };
    const cells = {
      a: { api: "http://127.0.0.1:9001", bulk: "http://eu.localhost:1" },
      b: { api: "https://b-api.cells.proveniq.io", bulk: "http://10.0.0.1" },
    };
    expect(originFaults(cells, development)).toEqual(["cell b, bulk: http://10.0.0.1 must be https"]);
  });
});
