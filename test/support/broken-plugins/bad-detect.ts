import sound from './sound.ts';

export default { ...sound, detect: true };
