// Server reflection from the descriptors that buf makes of the .proto and of that of the health service (`npm run proto` writes them, a test says when they are
// old). Those that @grpc/proto-loader derives name no imports, and what is written in Go (grpcurl, buf) refuses them
// (https://github.com/grpc/grpc-node/issues/2595).

import { readFileSync } from 'node:fs';
import { fromJSON, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

const descriptors = ['descriptors', 'health-descriptors'].map(
  (name) => new URL(`../../../proto/${name}.binpb`, import.meta.url),
);

// google.protobuf.FileDescriptorSet, its files left as they are (field number of google/protobuf/descriptor.proto).
const set = fromJSON({ nested: { FileSet: { fields: { file: { rule: 'repeated', type: 'bytes', id: 1 } } } } });

export function reflection(): ReflectionService {
  const { deserialize } = set['FileSet'] as MessageTypeDefinition<object, { file: Buffer[] }>;
  const fileDescriptorProtos = descriptors.flatMap((url) => deserialize(readFileSync(url)).file);
  // The files are all that the service looks at.
  return new ReflectionService({ files: { fileDescriptorProtos } } as unknown as PackageDefinition);
}
