import Link from 'next/link';
import { Empty } from '../design/notices.tsx';
import { Page } from '../design/page.tsx';

export default function NotFound() {
  return (
    <Page title="There is nothing here">
      <Empty title="No screen has this address">
        <Link href="/">Go home</Link>, or press Ctrl K to find what you look for.
      </Empty>
    </Page>
  );
}
