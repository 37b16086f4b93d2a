import sound from './sound.ts';

export default { ...sound, kind: 'storage' };
