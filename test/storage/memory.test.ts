import { openMemory } from '../../src/storage/memory/memory.ts';
import { storageContract } from './storage.contract.ts';

storageContract('memory', async () => ({ storage: openMemory() }));
