export { controlClient, type FleetControl, type RelayReport, type RemoteRelay } from "./client.ts";
