import type { Settings } from "@google-cloud/firestore";
import { readOnlyTransport } from "./read-only.ts";

const millis = { commit: 10_000, read: 10_000, rollback: 5_000 };

/**
 * How every client of ours talks to Firestore.
 *
 * The library would resend a commit whose reply was lost, on the same transaction, and then fail because that is
 * closed; we rather let the whole transaction run again, because only that finds its own receipt. It would also wait 60 to 300 s for one call
 * and up to 120 s between two attempts to connect; nobody waits for us that long. Queries keep their time,
 * because a stream over a whole collection is one call.
 */
export function clientSettings(emulatorHost: string | undefined, readOnly = false): Settings {
  // oxlint-disable-next-line node/no-process-env -- The library lets this variable overrule its settings: look before data goes astray.
  const inherited = process.env["FIRESTORE_EMULATOR_HOST"];
  if (inherited !== undefined && inherited !== "" && inherited !== emulatorHost) {
    throw new Error(
      `FIRESTORE_EMULATOR_HOST is ${inherited}, but this pool is meant for ${emulatorHost ?? "the cloud"}: ` +
        "unset the variable, or pass the same host to the pool",
    );
  }
  return {
    ...(emulatorHost === undefined ? {} : { host: emulatorHost, ssl: false }),
    grpcOptions: {
      "grpc.initial_reconnect_backoff_ms": 200,
      "grpc.max_reconnect_backoff_ms": 2_000,
      ...(readOnly ? readOnlyTransport : {}),
    },
    clientConfig: {
      interfaces: {
        "google.firestore.v1.Firestore": {
          retry_codes: { never: [] },
          methods: {
            Commit: { timeout_millis: millis.commit, retry_codes_name: "never" },
            BatchGetDocuments: { timeout_millis: millis.read },
            Rollback: { timeout_millis: millis.rollback, retry_codes_name: "never" },
          },
        },
      },
    },
  };
}
