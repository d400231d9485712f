/** The calls that only read. Anything else, also what a later version of the client may add, is refused. */
const reading: ReadonlySet<string> = new Set(
  ["BatchGetDocuments", "GetDocument", "ListDocuments", "RunQuery"].map(
    (method) => `/google.firestore.v1.Firestore/${method}`,
  ),
);

/** PERMISSION_DENIED: what IAM answers in production to an identity that may only view a database. */
const permissionDenied = 7;

/**
 * gRPC options of a client that cannot write: every call passes here last, below all of the client library, and
 * one that is not known to read is never sent. In production IAM says the same; an emulator has no IAM.
 */
export const readOnlyTransport: Readonly<Record<string, unknown>> = {
  "grpc.callInvocationTransformer": <T extends { methodDefinition: { path: string } }>(call: T): T => {
    const { path } = call.methodDefinition;
    if (reading.has(path)) return call;
    const method = path.slice(path.lastIndexOf("/") + 1);
    const refusal = new Error(`${method} is refused: this handle can only read`);
    throw Object.assign(refusal, { code: permissionDenied });
  },
};
