// A gRPC for Python that is not ours, for the test of our .proto with somebody else's client: what is there already, else
// Debian's packages.

import { spawnSync } from 'node:child_process';
import { installDebianPackages } from './debian-packages.ts';
import { findOnPath, runs } from './zookeeper-installation.ts';

export const pythonGrpcPackages = ['python3-grpcio', 'python3-protobuf', 'protobuf-compiler-grpc', 'libprotobuf-dev'];

export interface PythonGrpc {
  readonly python: string;
  readonly protoc: string;
  /** Makes the service's stubs. */
  readonly plugin: string;
}

/** What can be used; else why nothing can. */
export function ensurePythonGrpc(): PythonGrpc | { readonly missing: string } {
  const found = findPythonGrpc();
  if (found) return found;
  const error = installDebianPackages(pythonGrpcPackages);
  const missing = error ?? 'they are installed, but too old (protoc from 3.15 on) or not where they are looked for';
  return findPythonGrpc() ?? { missing: `${pythonGrpcPackages.join(', ')}: ${missing}` };
}

function findPythonGrpc(): PythonGrpc | null {
  const python = ['/usr/bin/python3', findOnPath('python3')].find((path) => path && hasGrpc(path));
  const protoc = findOnPath('protoc');
  const plugin = findOnPath('grpc_python_plugin');
  return python && protoc && plugin && knowsOptionalFields(protoc) ? { python, protoc, plugin } : null;
}

function hasGrpc(python: string): boolean {
  return runs(python, ['-c', 'import grpc, google.protobuf']);
}

/** Those of proto3 came with 3.15; numbers from 21 on have no 3 in front. */
function knowsOptionalFields(protoc: string): boolean {
  const { stdout } = spawnSync(protoc, ['--version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) > 3 || (major === '3' && Number(minor) >= 15);
}
