// Server reflection from the descriptors that buf makes of the .proto (`npm run proto` writes them, a test says when they are
// old). Those that @grpc/proto-loader derives name no imports, and what is written in Go (grpcurl, buf) refuses them
// (https://github.com/grpc/grpc-node/issues/2595).

import { readFileSync } from 'node:fs';
import { fromJSON, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { service as health } from 'grpc-health-check';

const descriptors = new URL('../../../proto/descriptors.binpb', import.meta.url);

// google.protobuf.FileDescriptorSet, its files left as they are (field number of google/protobuf/descriptor.proto).
const set = fromJSON({ nested: { FileSet: { fields: { file: { rule: 'repeated', type: 'bytes', id: 1 } } } } });

export function reflection(): ReflectionService {
  const { file } = (set['FileSet'] as MessageTypeDefinition<object, { file: Buffer[] }>).deserialize(
    readFileSync(descriptors),
  );
  const healthFile = health['Check']?.requestType as { fileDescriptorProtos?: Buffer[] } | undefined; // it imports nothing
  // The files are all that the service looks at.
  const files = {
    files: { fileDescriptorProtos: [...file, ...(healthFile?.fileDescriptorProtos ?? [])] },
  } as unknown as PackageDefinition;
  return new ReflectionService(files);
}
