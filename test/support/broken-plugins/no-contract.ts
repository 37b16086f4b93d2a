import sound from './sound.ts';

export default { ...sound, contract: undefined };
