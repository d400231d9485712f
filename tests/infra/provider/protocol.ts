import type { INamespace } from "protobufjs";

const field = (id: number, type: string, more: object = {}) => ({ id, type, ...more });
const many = (id: number, type: string) => field(id, type, { rule: "repeated" });
const message = (fields: Record<string, object>, nested: Record<string, object> = {}) => ({ fields, nested });
const call = (name: string) => ({
  requestType: `${name}.Request`,
  responseType: `${name}.Response`,
  comment: "",
});

/**
 * The part of Terraform's plugin protocol (version 5) that is spoken with a provider which only knows its schema. Names and
 * numbers are the protocol's.
 */
export const plugin: INamespace = {
  nested: {
    tfplugin5: {
      nested: {
        DynamicValue: message({ msgpack: field(1, "bytes"), json: field(2, "bytes") }),
        Diagnostic: message({
          severity: field(1, "int32"),
          summary: field(2, "string"),
          detail: field(3, "string"),
        }),
        Schema: message(
          { version: field(1, "int64"), block: field(2, "Block") },
          {
            Block: message({
              version: field(1, "int64"),
              attributes: many(2, "Attribute"),
              block_types: many(3, "NestedBlock"),
            }),
            Attribute: message({
              name: field(1, "string"),
              type: field(2, "bytes"),
              required: field(4, "bool"),
              optional: field(5, "bool"),
              computed: field(6, "bool"),
            }),
            NestedBlock: message({
              type_name: field(1, "string"),
              block: field(2, "Block"),
              nesting: field(3, "int32"),
              min_items: field(4, "int64"),
              max_items: field(5, "int64"),
            }),
          },
        ),
        GetProviderSchema: message(
          {},
          {
            Request: message({}),
            Response: message({
              provider: field(1, "Schema"),
              resource_schemas: field(2, "Schema", { keyType: "string" }),
              data_source_schemas: field(3, "Schema", { keyType: "string" }),
              diagnostics: many(4, "Diagnostic"),
            }),
          },
        ),
        PrepareProviderConfig: message(
          {},
          {
            Request: message({ config: field(1, "DynamicValue") }),
            Response: message({
              prepared_config: field(1, "DynamicValue"),
              diagnostics: many(2, "Diagnostic"),
            }),
          },
        ),
        ValidateConfig: message(
          {},
          {
            Request: message({ type_name: field(1, "string"), config: field(2, "DynamicValue") }),
            Response: message({ diagnostics: many(1, "Diagnostic") }),
          },
        ),
        Configure: message(
          {},
          {
            Request: message({ terraform_version: field(1, "string"), config: field(2, "DynamicValue") }),
            Response: message({ diagnostics: many(1, "Diagnostic") }),
          },
        ),
        Stop: message({}, { Request: message({}), Response: message({ Error: field(1, "string") }) }),
        Provider: {
          methods: {
            GetSchema: call("GetProviderSchema"),
            PrepareProviderConfig: call("PrepareProviderConfig"),
            ValidateResourceTypeConfig: call("ValidateConfig"),
            ValidateDataSourceConfig: call("ValidateConfig"),
            Configure: call("Configure"),
            Stop: call("Stop"),
          },
        },
      },
    },
  },
};
