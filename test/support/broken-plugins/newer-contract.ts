import sound from './sound.ts';

export default { ...sound, name: 'newer', contract: '1.7' };
