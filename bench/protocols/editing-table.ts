// The one list of protocols for documents, by the name that crosses to a load process.
import type { EditingProtocol } from './editing.ts';
import { ShareDbEditing } from './editing-sharedb.ts';
import { StagewireEditing } from './editing-stagewire.ts';

const protocols = {
  stagewire: (): EditingProtocol => new StagewireEditing(),
  sharedb: (): EditingProtocol => new ShareDbEditing(),
};

export type EditingProtocolName = keyof typeof protocols;

export function makeEditingProtocol(name: EditingProtocolName): EditingProtocol {
  return protocols[name]();
}
