import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';

export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
};

type Schema = {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
};

/**
 * Reads the schema of the Kubernetes API and makes it strict.
 *
 * A field that it does not name is a fault, as for `kubectl apply` with server-side validation.
 * @param path the OpenAPI document in the sources of Kubernetes.
 * @returns a function that lists the faults of one manifest with their places. A valid manifest has
 * none.
 */
export function readKubernetesSchema(path: string): (manifest: Manifest) => readonly string[] {
  const definitions: Readonly<Record<string, Schema>> = JSON.parse(readFileSync(path, 'utf8')).definitions;
  const strict = Object.fromEntries(
    Object.entries(definitions).map(([name, schema]) => [name, closeObject(allowNumber(schema))]),
  );
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'kubernetes', definitions: strict });

  return (manifest) => {
    const validate = validatorOf(manifest);
    if (!validate) return [`Kubernetes has no ${manifest.apiVersion} ${manifest.kind}`];
    if (validate(manifest)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  };

  function validatorOf({ apiVersion, kind }: Manifest): ValidateFunction | undefined {
    const [version, group = ''] = apiVersion.split('/').reverse();
    const name = Object.keys(definitions).find((one) =>
      definitions[one]?.['x-kubernetes-group-version-kind']?.some(
        (is) => is.group === group && is.version === version && is.kind === kind,
      ),
    );
    return name === undefined ? undefined : ajv.getSchema(`kubernetes#/definitions/${name}`);
  }
}

/**
 * For ports and quantities the document has the type `string`, but the API accepts numbers too:
 * `port: 8080`, `cpu: 2`.
 */
function allowNumber(schema: Schema): object {
  const isQuantity = schema.type === 'string' && !schema.format && !schema.properties;
  return schema.format === 'int-or-string' || isQuantity ? { type: ['string', 'number'] } : schema;
}

function closeObject(schema: object): object {
  return 'properties' in schema ? { additionalProperties: false, ...schema } : schema;
}
