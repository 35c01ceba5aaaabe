import React, { useEffect, useState } from 'react';

export default function App() {
  const [activities, setActivities] = useState([]);

  useEffect(() => {
    fetch(`${process.env.REACT_APP_BACKEND_URL}/api/activities/home`)
      .then((response) => response.json())
      .then(setActivities)
      .catch(console.error);
  }, []);

  return (
    <main>
      <h1>Home</h1>
      <ul>
        {activities.map((activity) => (
          <li key={activity.uuid}>
            <strong>{activity.handle}</strong> {activity.message}
          </li>
        ))}
      </ul>
    </main>
  );
}
