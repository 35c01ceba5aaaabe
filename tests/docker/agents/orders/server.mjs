import express from 'express';

const app = express();
app.get('/orders/:id', (request, response) => response.json({ order: request.params.id }));
app.listen(8080, '0.0.0.0');
