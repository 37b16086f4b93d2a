export { SchedulersScreen as default } from '../screens/schedulers/schedulers-screen.tsx';
